"""The kiosk device's own process: the agent, its body, its updates.

The files of this folder are the core: the device's key, its line to the city, what must not be lost.
``body/`` is the machine it runs on, ``updates/`` what it installs, ``simulate/`` a crowd of devices without
machines. They know the city only by ``signaling.wire.kiosk``.
"""
