"""Quality beside baselines, published figures and stock models."""
