#pragma once
/* The key that the token target signs with; it signs nothing else, and nobody trusts it. */

/* clang-format off */
#define FUZZ_TOKEN_KEY \
	"-----BEGIN PRIVATE KEY-----\n" \
	"MIIEvAIBADANBgkqhkiG9w0BAQEFAASCBKYwggSiAgEAAoIBAQDHEGpmQhppfCVw\n" \
	"071X8eUbJm3EtlPRRq2QfCYgXp6vblrTT6BP+zS2jhf4YLUbvuQBUFPU/p1mtCJ6\n" \
	"H5eBjPSbeRQtdDI0yL2BnAOcdGsZU84fJjJHDC2qWxDjgbC9X2XZBuxIBOB11BJX\n" \
	"TRCrDh2FMLU5CdKzZnOYczi23P23ltMEB0LiIHvTHcA9eJ2dpUBl/gr3H3NyrnWY\n" \
	"LnHqpd7EFfgxlocfvgtCT+v4H3Z3b2PREaB/zXzBYJK79KFU11qkVma70OMxlKN8\n" \
	"ZBX8q8wXvoSS0a1X92M1KUKyZDPQ9nSvNx45D3PvZ6p4Pd452QTeoQuvy8elwKkm\n" \
	"KxMVXBBFAgMBAAECggEAAMWUIJTO9NiQZ3nSjomsFIEK6S9KqbLIRTR3xodzWoQt\n" \
	"cYY8qtpknbyH09J19CkgPUEdDmMKBdkuH6hyrqphDqqsJgzJsxOxB7h0m3hgniKj\n" \
	"j97X0WCLzdYPNcwIdcbRwJERsvTjrCjSuBBxrtwyHQw6J7YIGY0cVicDyc0xW1WB\n" \
	"L857punNhzRhq2ey9AdFzL4fpxSd+Gq7G0vcBckrJedju3xtaLf6iGrEv7EW81Sv\n" \
	"Sar8xlgXp0a/GKkFsDoi9wqWgOxqwSKghFQii1NovgmxXOMUbmhw8JccCY0m3ZE9\n" \
	"kY1yOXSOAXzkUeucLmEaCgcOUXTX8HnUhXgBagjiVwKBgQDvTzFXcIA7gU3sal7J\n" \
	"yb91piCXke9Jgcuwa+ygsXEaZTHq6bzLytzx+pF0U6OCSm4GHAgb7lQn05zDL0NL\n" \
	"jyjWCmB3PfXJy07S6l6a0mLDbwAhTs8A3+5XC/SK+3lH7LIu4UcKlx2ej2TaB3ZS\n" \
	"QPfca69ehvMbwmXRMnuoVvpYUwKBgQDU8qean+CbLP1eowddOaMAxDnj5AJcenxY\n" \
	"faH/y4C7daP3gt7BlfOqEYn1kCUJylFt2UaabZEnZlo7q/HzjTNJQxT3mPVNrPIv\n" \
	"o8pfCzTFIcugVOahWoZAAevDHkQ49Ccp9FS3RE45GXt8gNKRZrpLrwpX99HOStof\n" \
	"mvPrCoECBwKBgDhW15HzXW0k6vh+rmQpSBbljoTAiaovkYmuTt4iCDOjoVXhw13j\n" \
	"G5MoX3gYfMUeyrpLfSk+ObfKnPxisyAlywJhHQbVonjokV0cajteznueNVSiHh/h\n" \
	"mFYL7X2O6KWjNuvMg5Ids45xydd+rD9/JhtRis7hTHi7kobmsLAYEgYbAoGAGlUH\n" \
	"NK+gbo/ZpOIz/usppOae4fdH83eR+L9QUPkxKf0aEXk1YmrQfq88iAkTC2rhNtwv\n" \
	"RtlVobGeZtKUULGdLeoFpbhcXQaNzCZM2APiup27OFBHVJyFDVUveik79m76iM2V\n" \
	"zDO+GIF2K6ciYqh5UPKMLOSQJRpMbqwSjXX3DfECgYBv8AmluHfezmdNiiaOdI2p\n" \
	"JUDy1Vegx+LK9XZ9FIK5HxjaBFUJ9LQLn9dYXbicP6McuIpe7FhtcRQ6aCKpSkkc\n" \
	"hHnmIpvTM/25RKwSLdmYemwqL1+iBIO8U9qBXi2RvAGXOT6ZuA2EfZOJkuihgj+8\n" \
	"/JSf0+HVyyrRDLpbg2oSIg==\n" \
	"-----END PRIVATE KEY-----\n"
