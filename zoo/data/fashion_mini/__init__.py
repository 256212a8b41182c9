"""Fashion-MNIST's first 10,000 training and 2,000 test images, inside the package; see SOURCE.md and LICENSE."""
