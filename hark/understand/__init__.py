"""We ask questions: conditions, segments, funnels, retention."""
