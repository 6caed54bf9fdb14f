"""The layer between client and service: TLS, certificates, headers, cookies, WebSockets."""
