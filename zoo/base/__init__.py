"""What every part of the core uses: whole files, pictures, progress, signals."""
