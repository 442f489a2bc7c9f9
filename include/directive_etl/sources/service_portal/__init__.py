"""The online-service portals: changed dossiers pulled page by page, counted per unit, procedure and day."""
