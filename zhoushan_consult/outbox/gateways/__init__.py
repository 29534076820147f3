"""SMS gateways of real vendors, over HTTPS. SMS_ADAPTER chooses one; its account comes from the environment.

None of them drops a letter that it is given twice: their protocols have no field for that. If a gateway stores a number
of ours with the letter, we send the dedupe key as that number, so that a repeat can be seen in its records.
"""
