SELECT revision FROM auth_revision
