"""A chart as data, drawn into rows of cells: pure, shared by the screen and by headless output."""
