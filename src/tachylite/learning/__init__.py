"""Learning from the database: models of tables of descriptors."""
