"""What every part of the core uses: atomic writing of files, pictures, progress, signals, background threads."""
