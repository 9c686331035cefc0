"""Le registre des consultations, importé d'un tableur : une ligne par lot, réunie par numéro à ce qui est déjà là."""
