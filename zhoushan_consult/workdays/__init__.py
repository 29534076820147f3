"""Working days, for terms and reminders. Never for the 10th: the day itself is held 节假日照常 (三)."""
