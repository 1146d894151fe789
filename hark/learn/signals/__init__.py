"""Which of the things people do early tell that they will stay: signals, graded by evidence."""
