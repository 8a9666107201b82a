"""`/openai/v1`: the model of the settings behind OpenAI's interface, for the web interface's chat.

Source: https://platform.openai.com/docs/api-reference
"""
