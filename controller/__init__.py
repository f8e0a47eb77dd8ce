"""The centre of a district: keeps every hall's journal, sends wishes and notices."""
