"""Progress: who owes what on a day, how far each unit is, and the close of the day."""
