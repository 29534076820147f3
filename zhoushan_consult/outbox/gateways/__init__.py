"""SMS gateways of real vendors, spoken to over HTTPS: one is chosen by SMS_ADAPTER, its account by the environment.

None of them forgets a letter that it was given twice: their protocols have no field for it. Where a gateway
keeps a number of ours beside the letter, the dedupe key is sent as that number, so a repeat can be told there.
"""
