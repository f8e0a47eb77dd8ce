"""The agent of one hall: owns its queue, drives its devices, tells the controller."""
