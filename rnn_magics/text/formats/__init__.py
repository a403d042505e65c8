"""The forms that files have: packed, with records and fields, or with markup."""
