"""Les pages des indicateurs, un fichier par sujet."""
