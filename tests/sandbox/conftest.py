from tests.integrations.conftest import app, clients, control, id_number, routes, settings, studio, world

__all__ = ["app", "clients", "control", "id_number", "routes", "settings", "studio", "world"]
