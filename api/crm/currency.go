package crm

// Currency is a currency as CRM.COM shows it. What is not known of it is null;
// no symbol stands behind an amount, which CRM.COM says as N/A.
type Currency struct {
	ID          string  `json:"id"`
	Code        string  `json:"code"`
	Prefix      *string `json:"prefix_symbol"`
	Suffix      string  `json:"suffix_symbol"`
	IntegerPart *string `json:"integer_part_name"`
	DecimalPart *string `json:"decimal_part_name"`
}

const noSuffix = "N/A"

// currencies are the symbols and the names of parts of those that are usual.
var currencies = map[string]struct{ prefix, integer, decimal string }{
	"AED": {"AED", "dirham", "fils"},
	"AUD": {"A$", "dollar", "cents"},
	"BGN": {"лв", "lev", "stotinki"},
	"BRL": {"R$", "real", "centavos"},
	"BYN": {"Br", "ruble", "kopecks"},
	"CAD": {"C$", "dollar", "cents"},
	"CHF": {"CHF", "franc", "rappen"},
	"CNY": {"¥", "yuan", "fen"},
	"CZK": {"Kč", "koruna", "haléř"},
	"DKK": {"kr", "krone", "øre"},
	"EUR": {"€", "euro", "cents"},
	"GBP": {"£", "pound", "pence"},
	"HUF": {"Ft", "forint", "fillér"},
	"ILS": {"₪", "shekel", "agorot"},
	"INR": {"₹", "rupee", "paise"},
	"JPY": {"¥", "yen", "sen"},
	"KWD": {"KD", "dinar", "fils"},
	"KZT": {"₸", "tenge", "tiyn"},
	"MXN": {"$", "peso", "centavos"},
	"NOK": {"kr", "krone", "øre"},
	"NZD": {"NZ$", "dollar", "cents"},
	"PLN": {"zł", "zloty", "grosz"},
	"RON": {"lei", "leu", "bani"},
	"RSD": {"din.", "dinar", "para"},
	"RUB": {"₽", "ruble", "kopecks"},
	"SEK": {"kr", "krona", "öre"},
	"SGD": {"S$", "dollar", "cents"},
	"TRY": {"₺", "lira", "kuruş"},
	"UAH": {"₴", "hryvnia", "kopiyky"},
	"USD": {"$", "dollar", "cents"},
	"ZAR": {"R", "rand", "cents"},
}

func currencyOf(code string) *Currency {
	c := &Currency{ID: idOf("currency", code), Code: code, Suffix: noSuffix}
	if usual, ok := currencies[code]; ok {
		c.Prefix, c.IntegerPart, c.DecimalPart = &usual.prefix, &usual.integer, &usual.decimal
	}
	return c
}
