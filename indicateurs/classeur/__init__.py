"""Les valeurs annuelles dans un tableur, dans les deux sens : une ligne par indicateur, les années en colonnes."""
