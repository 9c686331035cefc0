"""De vrais serveurs de courriels, sur la machine : un qui garde ce qu'il reçoit ou le refuse, un qui se tait."""

import asyncio
import email
import email.policy
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage

import pytest
from aiosmtpd.controller import Controller

HOTE = "127.0.0.1"
ACCEPTE = "250 Accepte"


@dataclass
class Serveur:
    """Ce qu'un serveur répond, et ce qu'il a gardé.

    `a_l_adresse`, `au_message` : la réponse à une adresse, à un message ; sans elle, il accepte. `avant_de_repondre` :
    le nombre de secondes où il se tait après avoir gardé un message.
    """

    port: int
    a_l_adresse: dict[str, str] = field(default_factory=dict)
    a_l_expediteur: str = ACCEPTE
    au_message: str = ACCEPTE
    par_connexion: int = 10_000
    avant_de_repondre: float = 0
    octets: list[bytes] = field(default_factory=list)
    garde: threading.Event = field(default_factory=threading.Event)

    @property
    def adresse(self) -> str:
        """Telle que le réglage EMAIL_URL la demande."""
        return f"smtp://{HOTE}:{self.port}"

    @property
    def recus(self) -> list[EmailMessage]:
        """Les messages gardés, lus comme une messagerie les lirait."""
        return [email.message_from_bytes(octets, policy=email.policy.default) for octets in self.octets]

    def a(self, adresse: str) -> list[EmailMessage]:
        return [recu for recu in self.recus if recu["To"] == adresse]

    # --- Ce qu'aiosmtpd appelle --------------------------------------------------------------------

    async def handle_MAIL(self, server, session, envelope, address, options) -> str:
        session.messages = getattr(session, "messages", 0) + 1
        if session.messages > self.par_connexion:
            return "421 Trop de messages"
        if self.a_l_expediteur == ACCEPTE:
            envelope.mail_from = address
        return self.a_l_expediteur

    async def handle_RCPT(self, server, session, envelope, address, options) -> str:
        reponse = self.a_l_adresse.get(address, ACCEPTE)
        if reponse == ACCEPTE:
            envelope.rcpt_tos.append(address)
        return reponse

    async def handle_DATA(self, server, session, envelope) -> str:
        if self.au_message == ACCEPTE:
            self.octets.append(envelope.content)
            self.garde.set()
        if self.avant_de_repondre:
            await asyncio.sleep(self.avant_de_repondre)
        return self.au_message


def port_libre() -> int:
    with socket.socket() as prise:
        prise.bind((HOTE, 0))
        return prise.getsockname()[1]


def brancher(reglages, port: int) -> None:
    """Le site envoie par ce serveur, qui a une seconde pour répondre."""
    reglages.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    reglages.EMAIL_HOST, reglages.EMAIL_PORT = HOTE, port
    reglages.EMAIL_HOST_USER = reglages.EMAIL_HOST_PASSWORD = ""
    reglages.EMAIL_USE_TLS = reglages.EMAIL_USE_SSL = False
    reglages.EMAIL_TIMEOUT = 1


@contextmanager
def servir(port: int | None = None) -> Iterator[Serveur]:
    serveur = Serveur(port or port_libre())
    controleur = Controller(serveur, hostname=HOTE, port=serveur.port)
    controleur.start()
    try:
        yield serveur
    finally:
        controleur.stop()


@pytest.fixture
def serveur_de_courriels(settings):
    """Un serveur qui accepte tout et garde tout, par lequel le site envoie."""
    with servir() as serveur:
        brancher(settings, serveur.port)
        yield serveur


@pytest.fixture
def serveur_muet(settings):
    """Un serveur qui accepte la connexion et ne dit rien. Rend son port."""
    with socket.socket() as prise:
        prise.bind((HOTE, 0))
        prise.listen()
        brancher(settings, prise.getsockname()[1])
        yield prise.getsockname()[1]


@pytest.fixture
def serveur_absent(settings):
    """Personne n'écoute à cette adresse. Rend le port."""
    port = port_libre()
    brancher(settings, port)
    return port
