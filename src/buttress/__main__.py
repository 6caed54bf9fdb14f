"""``python -m buttress``."""

from buttress.cli.main import main

raise SystemExit(main())
