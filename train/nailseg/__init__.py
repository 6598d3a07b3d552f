"""Training, evaluation and export of Lacquer's nail segmentation model."""
