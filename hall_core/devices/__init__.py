"""The language above the drivers: capabilities, pictures, outcomes, profiles and a hall's layout."""
