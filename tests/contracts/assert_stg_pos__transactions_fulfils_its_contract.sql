-- What stg_pos__transactions must give: see models/staging/README.md.
{{ config(meta={'explained_by': 'message', 'narrowed_by': 'stg_pos__transactions'}) }}
{% set contract %}
area: sales
view: stg_pos__transactions
row: a line of a basket, as the tills sent it
unique: [basket_id, product_id, line_number]
unique_if: {sales_lines: numbered}
one: {basket_id: [customer_id, store_id, sold_at, business_date, business_hour]}
columns:
  basket_id:
    type: "{{ var('basket_id_type') }}"
    meaning: "Basket: one till receipt, with one time, one store and at most one customer."
  product_id:
    type: "{{ var('product_id_type') }}"
    meaning: Product sold; what no product stands for, such as a deposit, has an id of its own.
  line_number:
    type: smallint
    meaning: Tells lines of one product in one basket apart; 1 where there is only one, or sales_lines is added_up.
  line_kind:
    type: text
    check: line_kind in ('sale', 'return', 'void')
    meaning: sale, return or void.
  customer_id:
    type: "{{ var('customer_id_type') }}"
    may_be_null: nobody said who they were
    meaning: Customer, by the card or the account.
  store_id:
    type: "{{ var('store_id_type') }}"
    meaning: Store, or any other place of sale; a web shop is one.
  sold_at:
    type: timestamptz
    meaning: "When the basket was closed; where only the day is known, noon of it."
  business_date:
    type: date
    meaning: Day of the sale on the stores' own calendar (variable business_timezone).
  business_hour:
    type: smallint
    check: business_hour between 0 and 23
    may_be_null: only the day is known
    meaning: Hour of the day, store time.
  quantity:
    type: "{{ var('quantity_type') }}"
    check: line_kind <> 'return' or quantity <= 0
    meaning: Pieces or weight; negative where goods came back.
  gross_sales_amount:
    type: money
    check: line_kind <> 'void' or gross_sales_amount = 0
    meaning: "Regular price times quantity: net sales plus both discounts."
  loyalty_discount_amount:
    type: money
    meaning: Discount that the retailer bears, positive; 0 if there is none.
  coupon_match_amount:
    type: money
    meaning: What the retailer adds to a manufacturer's coupon, positive; 0 if there is none.
  net_sales_amount:
    type: money
    check: net_sales_amount = gross_sales_amount - loyalty_discount_amount - coupon_match_amount
    meaning: What the retailer receives; negative for returns, 0 for voids.
  manufacturer_coupon_amount:
    type: money
    meaning: Part of net sales that a manufacturer refunds, positive; 0 if there is none.
  customer_paid_amount:
    type: money
    check: customer_paid_amount = net_sales_amount - manufacturer_coupon_amount
    meaning: What the customer paid.
  _file_id:
    type: integer
    meaning: File that the row came from, as the loader's raw table has it.
{% endset %}
{{ fulfils_contract(ref('stg_pos__transactions'), contract) }}
