"""The exit codes of every command, in one place."""

DONE, REFUSED, USAGE, DAMAGED, APART, FAULT, INTERRUPTED, TERMINATED = 0, 1, 2, 3, 4, 70, 130, 143
EXITS = {
    DONE: "done",
    REFUSED: "refused or failed, with one line that says why and what helps",
    USAGE: "the command line cannot be understood",
    DAMAGED: "done, but damaged files were left out (convert, fetch)",
    APART: "what was compared is apart: a fresh run from the stored ones (retrain), a table from the papers (verify)",
    FAULT: "a fault of natslib itself; --debug shows the traceback",
    INTERRUPTED: "ended by Ctrl-C; what was finished is kept",
    TERMINATED: "ended by SIGTERM; what was finished is kept",
}
