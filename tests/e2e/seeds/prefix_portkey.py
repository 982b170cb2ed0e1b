from portkey_ai import Portkey

portkey = Portkey(api_key="PORTKEY_API_KEY")

resp = portkey.chat.completions.create(
  model="@openai-prod/gpt-4o",
  messages=[{"role":"user","content":"Hello"}]
)
