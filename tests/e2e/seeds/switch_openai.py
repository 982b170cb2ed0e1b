# Switch between a model on OpenAI and one on Bedrock seamlessly
client.chat.completions.create(
    model="@openai-prod/gpt-4o", 
    messages=[...]
)

client.chat.completions.create(
    model="@bedrock-us/claude-3-sonnet-v1",
    messages=[...]
)
