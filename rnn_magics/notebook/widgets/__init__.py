"""Live views for notebooks; a module here is imported only when its widget is made."""
