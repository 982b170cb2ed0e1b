import OpenAI from 'openai';
import { createHeaders } from 'portkey-ai'

const openai = new OpenAI({
    apiKey: "PORTKEY_API_KEY",
    baseURL: "https://api.portkey.ai/v1",
	defaultHeaders: createHeaders({
		provider: "@openai-prod"
	})
});

const completion = await openai.chat.completions.create({
    model: "gpt-4o",
    messages: [{ role: 'user', content: 'Hello!' }]
});
