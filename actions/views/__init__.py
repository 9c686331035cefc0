"""Les pages des actions, un fichier par sujet. Ce que plusieurs partagent : `commun`."""
