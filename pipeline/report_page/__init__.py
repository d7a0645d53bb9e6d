"""RUN/report.html: one page that says how a run went, self-contained and opened offline."""
