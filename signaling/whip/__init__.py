"""Others' clients: encoders that publish by WHIP (RFC 9725), players that watch by WHEP
(draft-ietf-wish-whep)."""
