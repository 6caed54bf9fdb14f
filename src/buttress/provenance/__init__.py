"""Where the parts of a system come from: signatures, bills of materials, licences."""
