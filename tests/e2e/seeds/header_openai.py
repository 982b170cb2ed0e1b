from openai import OpenAI
from portkey_ai import createHeaders

client = OpenAI(
	api_key="PORTKEY_API_KEY",
	base_url="https://api.portkey.ai/v1",
	default_headers=createHeaders(
		provider="@openai-prod"
	)
)

client.chat.completions.create(
	model="gpt-4o",
	messages=[{"role": "user", "content": "Hello!"}]
)
