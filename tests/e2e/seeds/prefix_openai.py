from openai import OpenAI

client = OpenAI(api_key="PORTKEY_API_KEY", base_url="https://api.portkey.ai/v1")

client.chat.completions.create(
	model="@openai-prod/gpt-4o",
	messages=[{"role": "user", "content": "Hello!"}]
)
