"""Working days, for terms and reminders. They never move the 10th: the 咨询日 is held 节假日照常 (三)."""
