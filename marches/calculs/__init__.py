"""Des enregistrements aux chiffres. `catalogue.CALCULS` est le registre ; ici rien ne lit la base, sauf
`chargement`.
"""
