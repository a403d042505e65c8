"""Live views for notebooks; each module is imported when its widget is first made."""
