"""Labels of frames and pixels, one file a form in which data sets write them; `said` makes them fit the frames."""
