"""保证: who answers for whose line, from the link to the day it ends."""
