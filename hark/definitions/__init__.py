"""What the team wrote down: documents, their language, versions, plan and apply."""
