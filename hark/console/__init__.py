"""What people see: Django pages."""
