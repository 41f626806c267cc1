"""Charts and structures as data, and how matplotlib and plotly draw them."""
