#pragma once
/* Keys and a signature made by the openssl program: what the product never makes itself. */

/* clang-format off */

#define KEY_2048_PUBLIC \
	"-----BEGIN PUBLIC KEY-----\n" \
	"MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA2P9f6v2JQyk32SsBZ1KE\n" \
	"T1YIHHU0ezqJVWXX6XuyDJ2J7LEAtEW5/9++KWXeQikRwW6ZzhhtgYABzEx/y5FM\n" \
	"ChJsN3/U7hUIHup07L7le4DLcyqLU7QM5q5pLJBTvX+uq8yKLGm9qfqqo0ozoz1t\n" \
	"qovD1syArBIFri++H5icWIlKEXeOsA3cJ98CS+dgXK3QxJQzyptIQc3+EorQsK+x\n" \
	"J2aSEyQuomaNgQaEr5PVvj6TWDL1o+eX7vyaWDAN7NQ0xBsIfP6KqSTmi9C61m7m\n" \
	"zme2OBjWAdRfBjMfRF1LGCzcMVcNDz9TLXK9PIAvbCaCOXhRYJhcfy+JYv9IT0HB\n" \
	"JQIDAQAB\n" \
	"-----END PUBLIC KEY-----\n"

#define KEY_2048_MESSAGE \
	"a message for RS256"

#define KEY_2048_SIGNATURE \
	"\xa4\xd4\x8f\xa7\x09\x80\xcd\x37\xff\x47\x6a\x38\x17\x25\xd5\x99" \
	"\x29\x51\xf2\x4d\x85\x47\x78\x98\x47\x6c\x3f\xeb\xc8\x8f\x43\xa4" \
	"\xbe\xf5\xff\x44\x8f\x6e\x75\x68\x51\x21\x93\xd7\x33\xe1\xef\xab" \
	"\x0b\xd3\x04\x13\xe0\x96\x6b\x9c\xf7\xf9\x87\x9b\x21\x15\x01\xec" \
	"\x36\xa4\x6d\x51\x10\x07\xf8\x65\x56\x66\xe7\x8f\x48\x5b\x45\x03" \
	"\x12\x93\x99\xbb\xc3\xa8\xc6\x39\x39\xa9\x5d\xa5\x38\x20\x30\x83" \
	"\xd3\x35\x28\xf2\xf5\x63\x6d\x96\xdf\x3f\x75\xdf\x36\xdf\x65\xf6" \
	"\x38\x4b\x40\x1e\x32\x56\xcc\xee\xa1\x7a\x5a\x3f\xc9\xbb\xfb\x74" \
	"\xce\x46\x7f\x08\xf9\x72\xc8\x8a\xbb\xac\xf2\x81\x2e\x9e\x51\xa8" \
	"\x10\xf3\xf7\xe6\x73\xd8\x71\x55\x32\x33\x4d\xa7\x9f\xcc\x60\x54" \
	"\xbe\x74\xfc\xcc\x69\xd7\xe4\xf9\xe3\x7b\x5f\x8f\x62\xde\x26\xf9" \
	"\x60\x7a\x30\xd4\x98\x13\x07\x11\xb6\x3b\x1a\xd0\xad\x44\x17\xf4" \
	"\xd5\x2f\x40\xa3\xbe\x33\x3e\x47\x96\x1d\x37\x7d\xb1\xc0\x52\x58" \
	"\x48\xe1\xd6\xd5\x53\xc4\x86\x55\xee\x22\x29\x07\x0b\xa9\xc0\xd4" \
	"\x73\x1e\xe3\xb0\x6b\xde\xd9\xb5\x4f\xf9\x97\xea\x46\x39\x9d\x57" \
	"\x47\x00\xcc\xf6\xe6\x7e\x89\x0c\x9e\xb5\x24\xe3\x25\xbb\x3b\x75"

#define KEY_1024_PUBLIC \
	"-----BEGIN PUBLIC KEY-----\n" \
	"MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDpPh1+56oxf8Djz30P05Sfnmsj\n" \
	"JD/3DH6qnOLy5iJbYalClR3/Y7JxSbnh7NPUKg2/hXAmlCGXxN/QuirSBCR2mAvA\n" \
	"+68QNcfCIttQzls/5CqrzNzYxx4ON7IdbO1ZM0Kcjw4mqm8zZax9JdzemZ4HADEk\n" \
	"WT4y0lD5Qvf5LtFz/QIDAQAB\n" \
	"-----END PUBLIC KEY-----\n"

#define KEY_2047_PUBLIC \
	"-----BEGIN PUBLIC KEY-----\n" \
	"MIIBITANBgkqhkiG9w0BAQEFAAOCAQ4AMIIBCQKCAQBbnC0/5VFXOg7F/8wgew7/\n" \
	"x0k6YpeEtt9S/RTv0Omm1RQ4jUDlMGeuPjRvFX0kK9RPLtKF1x1yxvTAdLQBd6jo\n" \
	"MEpZe8DylKe51ZORvggLZSxkLMLEpXWB9ak38jdnRw86VolSJSOfml3f3CEMYlKd\n" \
	"Z7rgLiGs5px3+LIqLubT+jiYlMgPYDWckvIaf+XKoLHUG1uk5O1FVVop/m1eoVWi\n" \
	"CPJz5dhPpNAbOtfW4Dp4ztzRW0VcETJazLBCbCvHLeOyMe2YwsngNcfWcoen1x0o\n" \
	"0il+klqDqsYvGAib8US05BDZpYcLYPXKOwGvKgvSUp1WlSoPOo1i+xHlcxYfOqRz\n" \
	"AgMBAAE=\n" \
	"-----END PUBLIC KEY-----\n"

#define KEY_P256_PUBLIC \
	"-----BEGIN PUBLIC KEY-----\n" \
	"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE+yiCmKr5XhRk12zCqW9P5HkrVCPb\n" \
	"LQOdeDuvdS0WhMBaeSRUllFYAiERsq0O6tfM90P0KYyH3Nqe4WG8CnFk3g==\n" \
	"-----END PUBLIC KEY-----\n"

#define KEY_ED25519_PUBLIC \
	"-----BEGIN PUBLIC KEY-----\n" \
	"MCowBQYDK2VwAyEAC87uy/fhri1eW2dTSKXHMRwoQ1Qn4cNzorLgHNR0xFM=\n" \
	"-----END PUBLIC KEY-----\n"

#define KEY_PSS_PUBLIC \
	"-----BEGIN PUBLIC KEY-----\n" \
	"MIIBIDALBgkqhkiG9w0BAQoDggEPADCCAQoCggEBAPPSfMIjHphWW0fNE2ESwb/n\n" \
	"f/KM1xOxppO+/iUWuDVaG3T/nFHwzC7HmBPlBjiirybnYfTwfWf2KOLARbYZRnxK\n" \
	"DG0U2qwa63H8yv57ATiyHaTh9R2TtXGM/V7oWPHF9AWalI6s/kpZgG7DZTw3t24V\n" \
	"6ZQ0vPOWOKFOF4rwaNiEo/bkjSSxsADCPV3BB0Rb7Fg9KD6izOsVIXny58WufgVm\n" \
	"qG1iGX1JAcfB99NsIazhjrdJTIZfW2v+wakRJt7JRhFtysDpEN2Zsie36El65BCw\n" \
	"6qeSNeWYAqe2nwehfvJU0oQ5yT7QNU7c24cn68lB5tuobE4JG/59JakeaiFD9gMC\n" \
	"AwEAAQ==\n" \
	"-----END PUBLIC KEY-----\n"

#define KEY_5120_PUBLIC \
	"-----BEGIN PUBLIC KEY-----\n" \
	"MIICojANBgkqhkiG9w0BAQEFAAOCAo8AMIICigKCAoEAviq9sXUimsofAQJN4f2z\n" \
	"sgqH8RGqjyidSvxgmoA4CdyRa0BM4IGLteQKGQXOnzJ55IzHBSwAgINrTHn6wHjK\n" \
	"V5kii1tCbNKvK9HIXyiLNlIeotxifIBoeoiUQKwCUfvPMgqtjAMPwUVN8+yXdz0I\n" \
	"pEzDLcGpegAPzCyMv1MUWoZZ+Go7B0pmZY2J2oyWTQp/inVb1/gl4CaFHp5xThGz\n" \
	"HMghle+V37vAInxyIthczQkGmFsYYJuL7AwS5ERj6bb5cAzjsTv+ksiPFVGYMl+w\n" \
	"iJ2vDI9BzOrViZ91Q0w2pEi9vsGLY5YnUgZ/+XeVJ2lw5X75pSBG2FThsPKrw+A9\n" \
	"yTMyZCgfWISM62GHH4N/31VeA2Tkzn2hLMYtaxgfcyCrUDM0/6eLpOzsVDyOnj1R\n" \
	"nfSE/1QYrLPPlDB77V8JBoSfYi/B5d8QHvMqD8vuK790iZo6SLgH/+/9J6SvwQ6P\n" \
	"LZwLTdO6wBQ2DCJiUWAUbxp9DRtj1CnrqGAmWMsw0Ghh5eQVFe8fi48Mmehec7iT\n" \
	"53+LN1xvNaqdeb1MvDf4n4Td6+69kREs7wPVyv+sF+LItJawCSK+bWZcQG8OtvYx\n" \
	"kKjZB0ryybvfAV7RRp00qRNdDYHkMhs8b30Mf6oW2vWNhCukzY83jKgI/5sULS9a\n" \
	"5GeqJnKchrDUVTYUjPsYYmEDfo4nTkLKfPaiDt3LEOJrMOqOD9y3YWwurZ1xcAAO\n" \
	"j1w6CzdUvcmHmvO7BCr/n2GX5qU4DsD6qc+XQcvkL09L6krMGVUO0lkWtCzuZuWK\n" \
	"+2do5c8Jc0+2ICHMJ54yNP4WfEgLDzqstLAALKil9hCH5UWdbCborME+KZ7PLWcj\n" \
	"+QIDAQAB\n" \
	"-----END PUBLIC KEY-----\n"

#define KEY_ENCRYPTED_PRIVATE \
	"-----BEGIN ENCRYPTED PRIVATE KEY-----\n" \
	"MIIFLTBXBgkqhkiG9w0BBQ0wSjApBgkqhkiG9w0BBQwwHAQIkGMm926R7VQCAggA\n" \
	"MAwGCCqGSIb3DQIJBQAwHQYJYIZIAWUDBAECBBDyJ6A+Cw70NGLA6Eta7AagBIIE\n" \
	"0GlT6m0TjoJ9gZfRKta9AdW7wSGWYJ7pTFBDH2RvKevucDOEJtmuxI0DdDpD2tDd\n" \
	"HRlkKA5k1mBOJlte+m1yZH36QbU5hERImee1/rxCI+g+9lwJGSzfP2bWtd8DygUW\n" \
	"pBNqzggPf3sSabA380k93zBDNdn+CXf6u89AHZEF0Wz0NTpHITRB5IAGU9atFIN/\n" \
	"lBCKtOTNKnQx62kn+22VX1MZrQYmllYC6fkmMs/qZbZWiyygVoS9BjnDeSyNJBNK\n" \
	"lQnJeGrk/R4aVG1+o2L5UOCp3KKQB06WZuWXxvkTi0IyFmze6kRupmBgpNlivp56\n" \
	"CxdY6zzKtuD+b9OZiqz/DqWGEwq7x9NEEUDwY968no3QyWdYQVY+nDUG6X6QLWLj\n" \
	"9ZUDiu5lMkbK2vgblnLlD98t9slnvu/35TN1ANVJT18erNL930ekawSR2MB8D33y\n" \
	"vUyF1QbTCWuFbFP2tPS767nwK7yEmn3Im55N9ZZaKKnd2QqgjPQboq/kElekgYrW\n" \
	"87xcUmlKFenzAYbx/94wAIKEHHQhzoybFMxFRQqKLUGZgbY4UrW9EfCOuBfB17yG\n" \
	"rD0c0Wg/V1MmvJzMdYT572xGI2OG6GQwVgxn/cAYiF/aTshAHtIB9uvAI1AACYlx\n" \
	"fOM7raNObuWDveyYfa/7FNYvMf5QKFZBBHN+lFx4mzr62BKSwG5s67JndqnC8DNH\n" \
	"egtPQ0Dm7q5qiLRsJPqjI+Y0PO9IBhqw2etC1JouW1OnqYleFuM4lY/QIr3gujJu\n" \
	"U+2WQjHl6BuLmK+g47f5QRuJiUU9ueubsZzwmB2eQV15j423mbF7YMQGdv3fND5W\n" \
	"AuuYhfLMhfoWwZCx/wthr2usC4N3CNs2uvL17qcFLbUjzZbvKC16JDU5Rq5XV8o2\n" \
	"G1BD8yVGqSgeot4M6u8OP80d36CVP1TgJMs5mjmGCThu5SpNfDfPh+LcpDfLrxCd\n" \
	"d1JNyUAtTi3Of8z9v26ZokwT/hY09tlbNMfQwaU+8KvseeDnPb4gDi14AsNJOAI0\n" \
	"h2JErG3XM6fRa0vN2jIksbsB34OgHZvpATndbOFu1hHzfA7DJ/mbfus++pNR8KYK\n" \
	"exyaBnhPZoNZ5q/h4jZSPf58bOoBA0FUDEM5EHMDFIgco599DF9zzfsn0LBcRSDS\n" \
	"Hf4WGztcXPy/XmnDJ/wbP79D5rdgCrJi/jgFtrfyXz4smmks+2dOmBQVMgXszyWU\n" \
	"N3biC71UO7GLM0mHCXLr6VNBd+qdwbnAsaV17zT1pJ6Gw/+uJQsMMifJpNQaacAS\n" \
	"YTRrua0yHJHHxQfIadpyT647loBKPoInnJ0LJ/i7QIyzWPHinD/J/+pkda0zYqyx\n" \
	"jo2ve2MTSK6bCiSZg7CxPTN+uXABJ2UFsCVIZyA2iFgcMe04xezIr291kZj0tbnm\n" \
	"i7VzmCx1Yo4O7SSKrhPr9DcLSYcvwk0c7JKYExb0GBQiyw60pOLL/JnwhMAWRlpk\n" \
	"WVtKMMJRKwf14gN2Y7rafz0xfariatGR/OQS1nIWwlQ4BFhF1CNqvODmxmDh8Vva\n" \
	"iXSUY2Enwng4tLn4g85JKRSPK6NORowzZioEg3n8H2fsUHVdT0Zhfw4Sej5Ue/9W\n" \
	"aTw2bpDQuwX3T2sd+p52phQitJZM6/ltSmdDoVE3KFIf\n" \
	"-----END ENCRYPTED PRIVATE KEY-----\n"
