from portkey_ai import Portkey

portkey = Portkey(
	api_key="PORTKEY_API_KEY",
	provider="@openai-prod"
)

resp = portkey.chat.completions.create(
  model="gpt-4o",
  messages=[{"role":"user","content":"Hello"}]
)
