SELECT name, up_to, runs FROM progress
