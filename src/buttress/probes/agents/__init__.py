"""The probe of what agents are told and allowed: MCP servers, tools, skills, instructions."""
