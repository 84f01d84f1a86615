"""Run by Alembic, on the connection that :meth:`Database.upgrade` lends; there is no other way in."""

from alembic import context

from room_manager.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
