"""The questions: look-ups, timelines, history and pages, each answer with the position it rests on."""
